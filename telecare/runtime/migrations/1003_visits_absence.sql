-- Called off because she was away: closed, and no miss.

alter table visit drop constraint visit_state_check;
alter table visit add constraint visit_state_check check (
    state in (
        'planned', 'in_call', 'unfinished', 'needs_step', 'stepped', 'done', 'cancelled', 'absent'
    )
);

-- Which ending cancelled it: undone, it returns.
alter table visit add column ending_id uuid,
    add foreign key (tenant_id, ending_id) references ending (tenant_id, id);
