-- Timers are rows, claimed in the transaction that changes what they are about. Outgoing messages
-- that may not be lost are rows too.

create table timer (
    tenant_id int not null references tenant,
    id bigint generated always as identity primary key,
    kind text not null,
    subject uuid not null,
    due_at timestamptz not null,
    unique (tenant_id, kind, subject)
);
create index timer_due on timer (due_at);

create table outbox (
    tenant_id int not null references tenant,
    id bigint generated always as identity primary key,
    channel text not null,
    dedupe_key text not null,
    payload jsonb not null,
    next_try_at timestamptz not null,
    attempts int not null default 0,
    sent_at timestamptz,
    unique (tenant_id, dedupe_key)
);
create index outbox_next on outbox (next_try_at) where sent_at is null;

select wall('timer'), wall('outbox');
select open_to_definer('timer');
grant select, insert, update, delete on timer to telecare_app;
grant select, insert, update on outbox to telecare_app;

-- Take the next due timer, if any, and enter its tenant. It is gone when the transaction commits.
create function claim_timer(p_now timestamptz)
returns table (tenant_id int, kind text, subject uuid, due_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    claimed record;
begin
    delete from public.timer t
    where t.id = (
        select d.id from public.timer d
        where d.due_at <= p_now
        order by d.due_at
        for update skip locked
        limit 1
    )
    returning t.tenant_id, t.kind, t.subject, t.due_at into claimed;
    if found then
        perform set_config('app.tenant', claimed.tenant_id::text, true);
        tenant_id := claimed.tenant_id;
        kind := claimed.kind;
        subject := claimed.subject;
        due_at := claimed.due_at;
        return next;
    end if;
end
$$;
alter function claim_timer(timestamptz) owner to telecare_definer;
revoke execute on function claim_timer(timestamptz) from public;
grant execute on function claim_timer(timestamptz) to telecare_app;
