-- Whether the log can take in what is written next month: a missing partition would stop every action.

create function log_has_room(p_at timestamptz) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select to_regclass('audit.body_' || to_char(
        date_trunc('month', p_at at time zone 'UTC') + interval '1 month', 'YYYY_MM'
    )) is not null
$$;
alter function log_has_room(timestamptz) owner to telecare_definer;
revoke execute on function log_has_room(timestamptz) from public;
grant execute on function log_has_room(timestamptz) to telecare_app;
