-- Planned video visits, and people asked to go to a home.

create table insats (
    tenant_id int not null references tenant,
    id uuid not null,
    name text not null,
    minutes int not null check (minutes between 1 and 240),
    step_after_min int not null default 10 check (step_after_min between 1 and 240),
    ended_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, name)
);

create table visit (
    tenant_id int not null references tenant,
    id uuid not null,
    series_id uuid,
    resident_id uuid not null,
    unit_id uuid not null,
    staff_id uuid,
    insats_id uuid not null,
    starts_at timestamptz not null,
    minutes int not null check (minutes between 1 and 240),
    to_do text[] not null default '{}',
    done int[] not null default '{}',
    to_know text not null default '',
    state text not null default 'planned' check (
        state in ('planned', 'in_call', 'unfinished', 'needs_step', 'stepped', 'done', 'cancelled')
    ),
    call_id uuid,
    outcome text check (
        outcome in ('all_well', 'ring_again', 'needs_visit', 'follow_up', 'technical_fault')
    ),
    step text check (step in ('ring_again', 'home_visit', 'talked_by_phone', 'known_absence')),
    step_at timestamptz,
    note text not null default '',
    moved boolean not null default false,
    taken_over boolean not null default false,
    version int not null default 1,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    check ((state = 'done') = (outcome is not null)),
    check ((state = 'stepped') = (step is not null)),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, insats_id) references insats (tenant_id, id),
    foreign key (tenant_id, call_id) references call (tenant_id, id)
);
create index visit_of_unit on visit (tenant_id, unit_id, starts_at);
create index visit_of_resident on visit (tenant_id, resident_id, starts_at);
create unique index visit_of_series on visit (tenant_id, series_id, starts_at)
    where series_id is not null;
alter table call add foreign key (tenant_id, visit_id) references visit (tenant_id, id);

create table dispatch (
    tenant_id int not null references tenant,
    id uuid not null,
    unit_id uuid not null,
    resident_id uuid not null,
    about_id uuid not null,
    state text not null check (state in ('asked', 'accepted', 'arrived', 'done')),
    asked_at timestamptz not null,
    asked_by uuid,
    accepted_at timestamptz,
    accepted_by uuid,
    arrived_at timestamptz,
    done_at timestamptz,
    outcome text,
    primary key (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, asked_by) references staff (tenant_id, id),
    foreign key (tenant_id, accepted_by) references staff (tenant_id, id)
);
create index dispatch_open on dispatch (tenant_id, unit_id) where state <> 'done';
create unique index dispatch_once on dispatch (tenant_id, about_id) where state <> 'done';

select wall(t) from unnest(array['insats', 'visit', 'dispatch']::regclass[]) as t;
grant select, insert, update on insats, visit, dispatch to telecare_app;
