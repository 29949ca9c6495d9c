-- Outgoing messages are claimed a few at a time, each kept from others until its next try.

select open_to_definer('outbox');

-- The pause doubles from ten seconds to five minutes; after p_most tries nobody asks any more.
create function claim_letters(p_now timestamptz, p_most int, p_limit int)
returns table (tenant_id int, id bigint, channel text, dedupe_key text, payload jsonb, attempts int)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    update public.outbox o
    set attempts = o.attempts + 1,
        next_try_at = p_now + least(interval '5 minutes', interval '10 seconds' * 2 ^ o.attempts)
    where o.id in (
        select d.id from public.outbox d
        where d.sent_at is null and d.next_try_at <= p_now and d.attempts < p_most
        order by d.next_try_at
        for update skip locked
        limit p_limit
    )
    returning o.tenant_id, o.id, o.channel, o.dedupe_key, o.payload, o.attempts
$$;
alter function claim_letters(timestamptz, int, int) owner to telecare_definer;
revoke execute on function claim_letters(timestamptz, int, int) from public;
grant execute on function claim_letters(timestamptz, int, int) to telecare_app;
