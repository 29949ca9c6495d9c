-- How one gets in (key, lock, port code): shown to whoever has said that she goes there, and to nobody
-- else.

create table home_key (
    tenant_id int not null references tenant,
    resident_id uuid not null,
    note text not null check (length(note) between 1 and 500),
    set_at timestamptz not null,
    set_by uuid not null,
    primary key (tenant_id, resident_id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, set_by) references staff (tenant_id, id)
);
select wall('home_key');
grant select, insert, update, delete on home_key to telecare_app;
