-- What staff say of themselves: whom they are related to, live beside, or have a conflict with.

create table own_relation (
    tenant_id int not null references tenant,
    id uuid not null,
    staff_id uuid not null,
    resident_id uuid not null,
    kind text not null check (kind in ('relative', 'neighbour', 'conflict')),
    note text not null default '',
    stated_at timestamptz not null,
    removed_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);
create unique index own_relation_once on own_relation (tenant_id, staff_id, resident_id)
    where removed_at is null;
create index own_relation_to on own_relation (tenant_id, resident_id) where removed_at is null;

-- Why she opened all the same: the newest, for a quarter of an hour. All of them are in the log.
create table own_relation_reason (
    tenant_id int not null references tenant,
    staff_id uuid not null,
    resident_id uuid not null,
    reason text not null,
    at timestamptz not null,
    primary key (tenant_id, staff_id, resident_id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);

select wall(t) from unnest(array['own_relation', 'own_relation_reason']::regclass[]) as t;
grant select, insert, update on own_relation, own_relation_reason to telecare_app;
