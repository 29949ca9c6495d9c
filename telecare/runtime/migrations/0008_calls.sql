-- One connection between people: state, lease, signals.

create table call (
    tenant_id int not null references tenant,
    id uuid not null,
    kind text not null check (kind in ('visit', 'video_call', 'call_in', 'look', 'robot', 'alarm')),
    state text not null check (
        state in ('requested', 'ringing', 'connecting', 'open', 'dark', 'ended')
    ),
    resident_id uuid not null,
    unit_id uuid not null,          -- whose queue a call-in stands in, or who calls
    staff_id uuid,
    staff_session_id uuid,
    staff_page uuid,                -- the open page that holds the call; a newer one takes it over
    visit_id uuid,
    endpoint_id uuid,               -- which screen answered, or called in
    home_page uuid,
    press uuid,                     -- a unit's press: repeated, it is the same call
    created_at timestamptz not null,
    ring_until timestamptz,
    answers_itself_at timestamptz,
    answered_by_itself boolean not null default false,
    opened_at timestamptz,
    seen_at timestamptz,            -- an end reported its first frame
    dark_at timestamptz,
    must_end timestamptz,
    ended_at timestamptz,
    end_reason text,
    home_picture boolean not null default false,
    home_sound boolean not null default false,
    max_s int,
    purpose text,
    basis text not null default '{}',
    locked_at timestamptz,
    version int not null default 1,
    primary key (tenant_id, id),
    check ((state = 'ended') = (ended_at is not null)),
    check (state not in ('open', 'dark') or opened_at is not null),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, staff_session_id) references session (tenant_id, id),
    foreign key (tenant_id, endpoint_id) references endpoint (tenant_id, id)
);
create unique index call_one_per_home on call (tenant_id, resident_id) where state <> 'ended';
create unique index call_one_per_staff on call (tenant_id, staff_id)
    where state <> 'ended' and staff_id is not null;
create unique index call_of_press on call (tenant_id, press) where press is not null;
create index call_of_resident on call (tenant_id, resident_id, created_at desc);

create table call_lease (
    tenant_id int not null references tenant,
    call_id uuid not null,
    n bigint not null default 0,
    primary key (tenant_id, call_id),
    foreign key (tenant_id, call_id) references call (tenant_id, id)
);

-- SDP and candidates on their way; deleted when the call ends.
create table call_signal (
    tenant_id int not null references tenant,
    call_id uuid not null,
    n bigint generated always as identity,
    to_party text not null check (to_party in ('staff', 'home')),
    generation int not null,
    kind text not null check (kind in ('offer', 'answer', 'candidate')),
    body text not null check (length(body) <= 12000),
    primary key (tenant_id, call_id, n),
    foreign key (tenant_id, call_id) references call (tenant_id, id)
);

create table face (
    tenant_id int not null references tenant,
    call_id uuid not null,
    face text check (face in ('good', 'so_so', 'bad')),
    asked_at timestamptz not null,
    primary key (tenant_id, call_id),
    foreign key (tenant_id, call_id) references call (tenant_id, id)
);

select wall(t) from unnest(array['call', 'call_lease', 'call_signal', 'face']::regclass[]) as t;
select open_to_definer(t) from unnest(array['call', 'call_lease']::regclass[]) as t;
grant select, insert, update on call, face to telecare_app;
grant select, insert, update, delete on call_lease to telecare_app;
grant select, insert, delete on call_signal to telecare_app;

-- Renew every lease nobody else is renewing now; ended calls have none.
create function due_lease()
returns table (tenant_id int, call_id uuid, n bigint)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    update public.call_lease l set n = l.n + 1
    from (
        select d.tenant_id, d.call_id from public.call_lease d for update skip locked
    ) as free
    where l.tenant_id = free.tenant_id and l.call_id = free.call_id
    returning l.tenant_id, l.call_id, l.n
$$;
alter function due_lease() owner to telecare_definer;
revoke execute on function due_lease() from public;
grant execute on function due_lease() to telecare_app;
