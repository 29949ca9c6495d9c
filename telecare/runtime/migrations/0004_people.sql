-- Residents, those who live with them, assignments, and tasks that stay until a human closes them.

create table resident (
    tenant_id int not null references tenant,
    id uuid not null,
    unit_id uuid not null,
    name text not null,
    given_name text not null,
    language text not null default 'sv' check (language in ('sv', 'fi', 'en')),
    address text not null default '',
    phone text not null default '',
    born_on date,
    to_know text[] not null default '{}',
    scale_percent int not null default 100 check (scale_percent in (100, 115, 130)),
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id)
);
alter table session add foreign key (tenant_id, resident_id) references resident (tenant_id, id);
create index resident_of_unit on resident (tenant_id, unit_id);

create table cohabitant (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    name text not null,
    relation text not null,
    moved_in_at timestamptz not null,
    moved_out_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, resident_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);
create index cohabitant_of on cohabitant (tenant_id, resident_id);

-- Who may act for whom, since when, because of what. Ended by `valid_until`, never deleted.
create table assignment (
    tenant_id int not null references tenant,
    id uuid not null,
    staff_id uuid not null,
    resident_id uuid not null,
    source text not null check (source in ('visit', 'call_in', 'alarm', 'dispatch', 'took_over')),
    source_id uuid,
    valid_from timestamptz not null,
    valid_until timestamptz,
    locked_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);
create index assignment_of on assignment (tenant_id, staff_id, resident_id);
create unique index assignment_once on assignment (tenant_id, source, source_id, staff_id)
    where source_id is not null;

create table follow_up (
    tenant_id int not null references tenant,
    id uuid not null,
    unit_id uuid not null,
    resident_id uuid not null,
    kind text not null check (
        kind in ('call_back', 'second_talk', 'visit_overdue', 'ask_again', 'follow_up')
    ),
    about_id uuid,
    created_at timestamptz not null,
    closed_at timestamptz,
    closed_by uuid,
    note text,
    primary key (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, closed_by) references staff (tenant_id, id)
);
create index follow_up_open on follow_up (tenant_id, unit_id) where closed_at is null;
create unique index follow_up_once on follow_up (tenant_id, kind, about_id) where closed_at is null;

select wall(t) from unnest(array['resident', 'cohabitant', 'assignment', 'follow_up']::regclass[]) t;
select open_to_definer(t) from unnest(array['resident', 'assignment']::regclass[]) as t;
grant select, insert, update on resident, cohabitant, assignment, follow_up to telecare_app;

-- Reads are recorded once per staff, resident, purpose and 15 minutes (architecture §6);
-- lists once per staff, list and shift.
create table read_mark (
    tenant_id int not null references tenant,
    staff_id uuid not null,
    what text not null,
    about_id uuid not null,
    at timestamptz not null,
    primary key (tenant_id, staff_id, what, about_id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id)
);
select wall('read_mark');
grant select, insert, update on read_mark to telecare_app;

-- Assignments are recorded by this trigger only, whoever writes them. It is deferred: records take
-- a person's running number, and that lock comes last (architecture §1.11).
create function record_assignment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'UPDATE' and new.valid_until is not distinct from old.valid_until then
        return null;
    end if;
    perform audit.append(
        case when tg_op = 'INSERT' then 'assignment.begun' else 'assignment.changed' end,
        public.app_actor(),
        array[new.resident_id],
        array[(
            select r.name from public.resident r
            where r.tenant_id = new.tenant_id and r.id = new.resident_id
        )],
        json_build_object(
            'assignment_id', new.id, 'source', new.source, 'source_id', new.source_id,
            'staff_id', new.staff_id, 'valid_from', new.valid_from, 'valid_until', new.valid_until
        )::text,
        '{}'
    );
    return null;
end
$$;
alter function record_assignment() owner to telecare_definer;
create constraint trigger assignment_recorded after insert or update on assignment
    deferrable initially deferred for each row execute function record_assignment();
