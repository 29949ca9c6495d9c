-- Heads of the log sent by e-mail, one row an address and local day: a sequencer that begins anew
-- neither skips a day nor sends it twice. `next_at` keeps others away while one sends.

set role telecare_audit;

create table audit.mailing (
    tenant_id int not null references public.tenant,
    place bytea not null check (octet_length(place) = 32),  -- SHA-256 of the address
    day date not null,
    attempts int not null check (attempts > 0),
    next_at timestamptz not null,
    log int,
    size bigint,
    sent_at timestamptz,  -- when the mail server took it
    primary key (tenant_id, place, day),
    foreign key (tenant_id, log, size) references audit.checkpoint (tenant_id, log, size),
    check (num_nulls(log, size, sent_at) in (0, 3))
);
select audit.wall_table('audit.mailing');
create policy sequencer_of_all on audit.mailing for all to telecare_sequencer
    using (true) with check (true);
grant select, insert on audit.mailing to telecare_sequencer;
grant update (attempts, next_at, log, size, sent_at) on audit.mailing to telecare_sequencer;
create policy reader_of_tenant on audit.mailing for select to telecare_reader
    using (tenant_id = public.app_tenant());
grant select on audit.mailing to telecare_reader;

reset role;
