-- The wall between municipalities, and the municipality itself.

-- The tenant of this transaction; null (no row matches) when none was set.
create function app_tenant() returns int
language sql stable parallel safe
as $$ select nullif(current_setting('app.tenant', true), '')::int $$;

-- Used by migrations only: row level security that also binds the owner.
create function wall(p_table regclass) returns void
language plpgsql
as $$
begin
    execute format('alter table %s enable row level security', p_table);
    execute format('alter table %s force row level security', p_table);
    execute format(
        'create policy tenant_wall on %s for all to telecare_app '
        'using (tenant_id = app_tenant()) with check (tenant_id = app_tenant())',
        p_table
    );
end
$$;
revoke execute on function wall(regclass) from public;

-- Used by migrations only: lets the cross-tenant functions reach one table.
create function open_to_definer(p_table regclass) returns void
language plpgsql
as $$
begin
    execute format(
        'create policy across_tenants on %s for all to telecare_definer '
        'using (true) with check (true)',
        p_table
    );
    execute format('grant select, insert, update, delete on %s to telecare_definer', p_table);
end
$$;
revoke execute on function open_to_definer(regclass) from public;

create table tenant (
    id int generated always as identity primary key,
    slug text not null unique check (slug ~ '^[a-z][a-z0-9-]{1,40}$'),
    name text not null,
    language text not null default 'sv' check (language in ('sv', 'fi', 'en')),
    phone text not null,
    relay_only boolean not null default false,
    created_at timestamptz not null
);
grant select on tenant to telecare_app, telecare_ingest, telecare_reader, telecare_sequencer;
grant insert, update (name, language, phone, relay_only) on tenant to telecare_app;

-- Fixed windows, kept across processes: what an address or a code has tried (no personal data).
create table rate_limit (
    key text not null,
    window_start timestamptz not null,
    count int not null,
    primary key (key, window_start)
);
grant select, insert, update, delete on rate_limit to telecare_app;
grant references (id) on tenant to telecare_audit;
