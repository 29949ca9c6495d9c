-- Two of the same name may follow each other, but not stand side by side.
alter table insats drop constraint insats_tenant_id_name_key;
create unique index insats_once on insats (tenant_id, lower(name)) where ended_at is null;
