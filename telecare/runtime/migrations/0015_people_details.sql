-- What is known of a resident beyond her name, and who is near her.

alter table resident
    add column hearing text not null default 'good' check (
        hearing in ('good', 'aid', 'hard', 'deaf')
    ),
    add column priority int not null default 2 check (priority between 1 and 3),
    add column is_protected boolean not null default false,
    -- Personnummer: sealed with a key outside the database, found by a keyed hash.
    add column national_id_sealed bytea,
    add column national_id_hash bytea,
    add check ((national_id_sealed is null) = (national_id_hash is null));
create unique index resident_by_national_id on resident (tenant_id, national_id_hash)
    where national_id_hash is not null;

alter table staff add column is_protected boolean not null default false;
grant update (is_protected) on staff to telecare_app;

-- Relatives may be rung; they decide nothing (FB 17:1 gives no power over consent).
create table relative (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    name text not null,
    relation text not null,
    phone text not null,
    rings_first boolean not null default false,
    added_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);
create index relative_of on relative (tenant_id, resident_id) where ended_at is null;

-- God man, förvaltare, framtidsfullmakt: with the document it rests on.
create table representative (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    kind text not null check (kind in ('god_man', 'forvaltare', 'framtidsfullmakt')),
    name text not null,
    phone text not null,
    scope text not null,
    document text not null,  -- number and issuer, not the paper itself
    valid_from date not null,
    valid_until date,
    added_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, id),
    check (valid_until is null or valid_until >= valid_from),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);
create index representative_of on representative (tenant_id, resident_id) where ended_at is null;

-- A file of people that is being read in: sealed like what it holds, gone when it is done.
create table people_import (
    tenant_id int not null references tenant,
    id uuid not null,
    kind text not null check (kind in ('residents', 'staff')),
    unit_id uuid not null,
    staff_id uuid not null,  -- who sent it
    staff_session_id uuid not null,
    content_sealed bytea,
    row_count int not null,
    row_done int not null default 0,
    row_added int not null default 0,
    sent_at timestamptz not null,
    begun_at timestamptz,
    finished_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, staff_session_id) references session (tenant_id, id)
);

select wall(t) from unnest(array['relative', 'representative', 'people_import']::regclass[]) as t;
grant select, insert, update on relative, representative to telecare_app;
grant select, insert, update, delete on people_import to telecare_app;
