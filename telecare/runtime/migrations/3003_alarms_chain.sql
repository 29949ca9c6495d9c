-- Larmkedja: which units an alarm is put to, one after another, fixed when it comes. A resident may
-- have her own by the hour; a unit that is rung by webhook is an alarm centre (larmcentral).

create table alarm_chain (
    tenant_id int not null references tenant,
    resident_id uuid not null,
    from_time time not null,              -- local; from > until: over midnight
    until_time time not null,
    unit_ids uuid[] not null check (cardinality(unit_ids) between 1 and 5),
    primary key (tenant_id, resident_id, from_time),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);

create table alarm_centre (
    tenant_id int not null references tenant,
    unit_id uuid not null,
    url text not null,
    secret bytea not null check (octet_length(secret) = 32),
    primary key (tenant_id, unit_id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id)
);

select wall(t) from unnest(array['alarm_chain', 'alarm_centre']::regclass[]) as t;
grant select, insert, update, delete on alarm_chain, alarm_centre to telecare_app;

alter table alarm add column chain uuid[] not null default '{}';

-- The last step of a chain is a task of the unit's head.
alter table follow_up drop constraint follow_up_kind_check;
alter table follow_up add constraint follow_up_kind_check check (
    kind in (
        'call_back', 'second_talk', 'visit_overdue', 'ask_again', 'follow_up', 'check_devices',
        'break_glass', 'review_overdue', 'log_question', 'alarm_unanswered'
    )
);
