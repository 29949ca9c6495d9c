-- Login and owner roles of one Telecare database (architecture §1.10). Run once by a superuser,
-- also by the embedded supervisor: the walls are the same everywhere. Safe to run again.
do $$
declare
    login text;
begin
    foreach login in array array[
        'telecare_owner', 'telecare_app', 'telecare_ingest',
        'telecare_sequencer', 'telecare_reader', 'telecare_eraser'
    ] loop
        if not exists (select from pg_roles where rolname = login) then
            execute format('create role %I login nosuperuser nobypassrls', login);
        end if;
    end loop;
    -- Copies the whole cluster (pg_basebackup), and has no right to any table.
    if not exists (select from pg_roles where rolname = 'telecare_backup') then
        create role telecare_backup login nosuperuser nobypassrls replication;
    end if;
    -- Owners of SECURITY DEFINER functions and of their tables; nobody signs in as them.
    foreach login in array array['telecare_definer', 'telecare_audit', 'telecare_events'] loop
        if not exists (select from pg_roles where rolname = login) then
            execute format('create role %I nologin nosuperuser nobypassrls', login);
        end if;
    end loop;
end
$$;
grant telecare_definer, telecare_audit, telecare_events to telecare_owner;
-- Detaching a month concurrently is no statement of a function: who lets it fall is its owner.
grant telecare_events to telecare_eraser;
grant create, usage on schema public to telecare_owner, telecare_definer, telecare_events;
grant usage on schema public to
    telecare_app, telecare_ingest, telecare_sequencer, telecare_reader, telecare_eraser, telecare_audit;
do $$
begin
    execute format('grant create on database %I to telecare_owner, telecare_audit', current_database());
end
$$;
