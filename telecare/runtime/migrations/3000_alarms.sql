-- Alarms from homes: each press its own, taken on a lease, asked of one unit after another, and not
-- at rest before a human has been there or spoken with her.

create table alarm (
    tenant_id int not null references tenant,
    id uuid not null,
    lane text not null check (lane in ('care', 'test')),
    source text not null check (source in ('unit', 'scaip', 'dc09')),
    source_id text not null,              -- the home unit, or another maker's account
    reference text not null,              -- what its sender numbers it by: a repeat is no new alarm
    resident_id uuid not null,
    unit_id uuid not null,                -- the resident's care unit when it came
    asked_units uuid[] not null,          -- who have been asked so far, in order
    trigger text not null,
    device text not null,
    place text not null,
    priority int not null check (priority between 1 and 3),
    state text not null check (
        state in ('new', 'taken', 'handled', 'closed', 'cancelled', 'tested')
    ),
    pressed_at timestamptz not null,      -- by the home's clock where that can be right
    received_at timestamptz not null,
    cancelled_at timestamptz,             -- "Jag tryckte fel"
    taken_by uuid,
    taken_at timestamptz,
    lease_until timestamptz,
    contact_at timestamptz,
    contact text check (contact in ('call', 'arrival', 'phone')),
    contact_with text check (contact_with in ('resident', 'cohabitant', 'relative', 'other')),
    returned_at timestamptz,
    returned_from uuid,
    returned_why text,
    closed_at timestamptz,
    closed_by uuid,
    pressed_by text check (pressed_by in ('resident', 'cohabitant', 'relative', 'staff', 'device', 'unknown')),
    cause_id uuid,
    measure_id uuid,
    note text not null default '' check (length(note) <= 2000),
    primary key (tenant_id, id),
    unique (tenant_id, source, source_id, reference),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, taken_by) references staff (tenant_id, id),
    foreign key (tenant_id, returned_from) references staff (tenant_id, id),
    foreign key (tenant_id, closed_by) references staff (tenant_id, id),
    foreign key (tenant_id, cause_id) references list_item (tenant_id, id),
    foreign key (tenant_id, measure_id) references list_item (tenant_id, id),
    constraint alarm_taken_by_somebody check (
        state not in ('taken', 'handled') or (taken_by is not null and taken_at is not null)
    ),
    constraint alarm_not_closed_unseen check (
        state not in ('closed', 'cancelled') or contact_at is not null
    )
);
create index alarm_open on alarm (tenant_id, received_at) where state in ('new', 'taken', 'handled');
create index alarm_of_resident on alarm (tenant_id, resident_id, received_at desc);

-- "Vad har hänt", in order.
create table alarm_step (
    tenant_id int not null references tenant,
    alarm_id uuid not null,
    n int not null,
    at timestamptz not null,
    kind text not null,
    staff_id uuid,
    unit_id uuid,
    what jsonb not null default '{}',
    primary key (tenant_id, alarm_id, n),
    foreign key (tenant_id, alarm_id) references alarm (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id)
);

-- Records that could not be entered when their alarm came: the alarm stood, and they are owed.
create table owed_record (
    tenant_id int not null references tenant,
    id uuid not null,
    alarm_id uuid not null,
    what jsonb not null,
    happened_at timestamptz not null,
    tries int not null default 0,
    entered_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, alarm_id) references alarm (tenant_id, id)
);
create index owed_record_open on owed_record (tenant_id, happened_at) where entered_at is null;

-- Avvikelser: what went wrong, for the unit's head; a plain list so far.
create table deviation (
    tenant_id int not null references tenant,
    id uuid not null,
    kind text not null,
    at timestamptz not null,
    unit_id uuid not null,
    resident_id uuid,
    source text not null,                 -- the kind of thing it is about
    about_id uuid not null,
    primary key (tenant_id, id),
    unique (tenant_id, kind, about_id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);
create index deviation_of_unit on deviation (tenant_id, unit_id, at desc);

select wall(t) from unnest(array['alarm', 'alarm_step', 'owed_record', 'deviation']::regclass[]) as t;
grant select, insert, update on alarm, owed_record to telecare_app;
grant select, insert on alarm_step, deviation to telecare_app;
