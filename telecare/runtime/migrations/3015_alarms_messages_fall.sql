-- What other makers' units said falls after its time, like what home units say. A repeat is known
-- by it for a day, and what stands in the technical queue is found by it until somebody has seen to
-- it: that stays.
create index alarm_unit_message_age on alarm_unit_message (received_at);
select open_to_definer('alarm_unit_message');

create function drop_alarm_unit_messages(p_before timestamptz, p_limit int) returns int
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    with old as (
        select m.tenant_id, m.id from public.alarm_unit_message m
        where m.received_at < p_before and not exists (
            select from public.technical_alarm t
            where t.tenant_id = m.tenant_id and t.id = m.technical_alarm_id
                and t.ended_at is null and t.closed_at is null
        )
        order by m.received_at
        limit p_limit
    ), dropped as (
        delete from public.alarm_unit_message m using old o
        where m.tenant_id = o.tenant_id and m.id = o.id
        returning m.id
    )
    select count(*)::int from dropped
$$;
alter function drop_alarm_unit_messages(timestamptz, int) owner to telecare_definer;
revoke execute on function drop_alarm_unit_messages(timestamptz, int) from public;
grant execute on function drop_alarm_unit_messages(timestamptz, int) to telecare_eraser;
