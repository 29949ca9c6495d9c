-- What witnesses have signed of a log's heads (docs/decisions/0009, C2SP tlog-cosignature).

set role telecare_audit;

create table audit.cosignature (
    tenant_id int not null,
    log int not null,
    size bigint not null,
    witness text not null,         -- its verifier key: name+hash+key
    line text not null,            -- as it stands under the head
    seen_at timestamptz not null,  -- by the witness's own clock
    primary key (tenant_id, log, size, witness),
    foreign key (tenant_id, log, size) references audit.checkpoint (tenant_id, log, size)
);
create trigger cosignature_append_only before update or delete or truncate on audit.cosignature
    for each statement execute function audit.refuse_change();
select audit.wall_table('audit.cosignature');
create policy sequencer_of_all on audit.cosignature for all to telecare_sequencer
    using (true) with check (true);
grant select, insert on audit.cosignature to telecare_sequencer;
create policy reader_of_tenant on audit.cosignature for select to telecare_reader
    using (tenant_id = public.app_tenant());
grant select on audit.cosignature to telecare_reader;

reset role;
