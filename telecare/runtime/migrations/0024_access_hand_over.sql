-- What she does in the shift, who has taken a follow-up, and handing over what she holds open.

alter table shift add column tasks text[] not null default '{}'
    check (tasks <@ array['alarm', 'round', 'drive']);

alter table follow_up
    add column taken_by uuid,
    add column taken_at timestamptz,
    add check ((taken_by is null) = (taken_at is null)),
    add foreign key (tenant_id, taken_by) references staff (tenant_id, id);
create index follow_up_taken on follow_up (tenant_id, taken_by)
    where closed_at is null and taken_by is not null;

alter table assignment drop constraint assignment_source_check;
alter table assignment add constraint assignment_source_check check (
    source in ('visit', 'call_in', 'alarm', 'dispatch', 'took_over', 'follow_up')
);

-- One thing that somebody holds and asks a colleague, or a unit, to take over. `kind` and
-- `about_id` name it; which kinds there are is decided where packages join (app.py).
create table hand_over (
    tenant_id int not null references tenant,
    id uuid not null,
    kind text not null,
    about_id uuid not null,
    resident_id uuid not null,
    from_staff_id uuid not null,
    from_unit_id uuid not null,
    to_staff_id uuid,  -- null: anybody on shift in the unit
    to_unit_id uuid not null,
    state text not null check (
        state in ('asked', 'accepted', 'declined', 'unanswered', 'withdrawn')
    ),
    asked_at timestamptz not null,
    answered_at timestamptz,
    answered_by uuid,
    primary key (tenant_id, id),
    check ((state = 'asked') = (answered_at is null)),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, from_staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, from_unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, to_staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, to_unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, answered_by) references staff (tenant_id, id)
);
-- Refused and unanswered ones stay in sight of the giver until she asks anew or keeps it.
create unique index hand_over_once on hand_over (tenant_id, kind, about_id)
    where state in ('asked', 'declined', 'unanswered');
create index hand_over_from on hand_over (tenant_id, from_unit_id)
    where state in ('asked', 'declined', 'unanswered');
create index hand_over_to on hand_over (tenant_id, to_unit_id)
    where state in ('asked', 'declined', 'unanswered');

select wall('hand_over');
grant select, insert, update on hand_over to telecare_app;
