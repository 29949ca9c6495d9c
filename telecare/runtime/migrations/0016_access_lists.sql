-- A municipality's own words, and the decision behind each of its rules.

create table list_item (
    tenant_id int not null references tenant,
    id uuid not null,
    list text not null check (list in ('outcome', 'cause', 'measure')),
    name text not null,
    added_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, id)
);
create unique index list_item_once on list_item (tenant_id, list, lower(name))
    where ended_at is null;
select wall('list_item');
grant select, insert, update on list_item to telecare_app;

alter table purpose_policy add column decision text not null default '';  -- number and date
