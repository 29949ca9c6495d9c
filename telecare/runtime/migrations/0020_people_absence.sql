-- Absence (frånvaro) and ending (avslut) of residents. The gate reads both under its lock, so
-- that nothing opens towards somebody who is away or no longer with us (docs/decisions/0006).

create table absence (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    kind text not null check (kind in ('hospital', 'short_term', 'travel', 'other')),
    from_at timestamptz not null,
    until_at timestamptz,         -- null: open
    reported_by text not null,
    note text not null default '',
    made_by uuid not null,
    made_at timestamptz not null,
    home_at timestamptz,
    home_by uuid,                 -- null: the time it was to last until
    primary key (tenant_id, id),
    check (until_at is null or until_at > from_at),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, made_by) references staff (tenant_id, id),
    foreign key (tenant_id, home_by) references staff (tenant_id, id)
);
create index absence_of on absence (tenant_id, resident_id, from_at);

create table ending (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    reason text not null check (reason in ('deceased', 'moved', 'declined')),
    on_date date not null,
    from_at timestamptz not null, -- the gate refuses from here on, also when the timer is late
    done_by uuid not null,
    done_at timestamptz not null,
    carried_out_at timestamptz,
    undone_by uuid,
    undone_at timestamptz,
    primary key (tenant_id, id),
    check ((undone_at is null) = (undone_by is null)),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, done_by) references staff (tenant_id, id),
    foreign key (tenant_id, undone_by) references staff (tenant_id, id)
);
create unique index ending_once on ending (tenant_id, resident_id) where undone_at is null;

select wall(t) from unnest(array['absence', 'ending']::regclass[]) as t;
grant select, insert on absence, ending to telecare_app;
grant update (home_at, home_by) on absence to telecare_app;
grant update (carried_out_at, undone_by, undone_at) on ending to telecare_app;
