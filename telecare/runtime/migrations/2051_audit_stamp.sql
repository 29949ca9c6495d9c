-- RFC 3161 time stamps of the log's heads: an authority's word on when a head was there.

set role telecare_audit;

create table audit.stamp (
    tenant_id int not null,
    log int not null,
    size bigint not null,
    authority text not null,           -- by its certificate
    token bytea not null check (octet_length(token) between 1 and 65536),  -- its answer as it came
    stamped_at timestamptz not null,   -- by the authority's clock
    received_at timestamptz not null,  -- by ours
    primary key (tenant_id, log, size),
    foreign key (tenant_id, log, size) references audit.checkpoint (tenant_id, log, size)
);
create trigger stamp_append_only before update or delete or truncate on audit.stamp
    for each statement execute function audit.refuse_change();
select audit.wall_table('audit.stamp');
create policy sequencer_of_all on audit.stamp for all to telecare_sequencer
    using (true) with check (true);
grant select, insert on audit.stamp to telecare_sequencer;
create policy reader_of_tenant on audit.stamp for select to telecare_reader
    using (tenant_id = public.app_tenant());
grant select on audit.stamp to telecare_reader;

reset role;
