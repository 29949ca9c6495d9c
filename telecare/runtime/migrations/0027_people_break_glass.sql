-- "Öppna ändå": what remains in an emergency when no assignment applies. It gives an assignment of
-- capped minutes, tells the head of the person's unit, and is reviewed by somebody else.

create table break_glass (
    tenant_id int not null references tenant,
    id uuid not null,
    staff_id uuid not null,
    resident_id uuid not null,
    unit_id uuid not null,  -- the resident's
    kind text not null check (
        kind in ('alarm_unanswered', 'fall_suspected', 'no_answer_twice', 'other')
    ),
    reason text not null check (length(reason) between 10 and 1000),
    opened_at timestamptz not null,
    until_at timestamptz not null,
    closed_at timestamptz,
    primary key (tenant_id, id),
    check (until_at > opened_at and until_at <= opened_at + interval '30 minutes'),
    check (closed_at between opened_at and until_at),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id)
);
create index break_glass_by on break_glass (tenant_id, staff_id, resident_id, until_at);

select wall('break_glass');
grant select, insert on break_glass to telecare_app;
grant update (closed_at) on break_glass to telecare_app;

alter table assignment drop constraint assignment_source_check;
alter table assignment add constraint assignment_source_check check (
    source in (
        'visit', 'call_in', 'alarm', 'dispatch', 'took_over', 'follow_up', 'break_glass'
    )
);

alter table follow_up drop constraint follow_up_kind_check;
alter table follow_up add constraint follow_up_kind_check check (
    kind in (
        'call_back', 'second_talk', 'visit_overdue', 'ask_again', 'follow_up', 'check_devices',
        'break_glass', 'review_overdue', 'log_question'
    )
);
