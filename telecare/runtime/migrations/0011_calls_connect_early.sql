-- The home unit that may connect while it rings, so that the picture is there at the answer.

alter table call add column early_endpoint_id uuid;
alter table call add foreign key (tenant_id, early_endpoint_id) references endpoint (tenant_id, id);
