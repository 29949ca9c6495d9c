-- What a reviewer asked the log for, while she looks at what was found: no name stands in an address.

create table log_search (
    tenant_id int not null references tenant,
    id uuid not null,
    staff_id uuid not null,
    asked jsonb not null,
    asked_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id)
);
create index log_search_old on log_search (tenant_id, asked_at);

select wall('log_search');
grant select, insert, delete on log_search to telecare_app;
