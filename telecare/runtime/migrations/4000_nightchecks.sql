-- Nattfrid: cameras in homes, agreements on night checks, the checks that follow from them.

-- Everybody has a gate for each purpose; those registered before get one for this.
alter table consent_gate no force row level security;
alter table resident no force row level security;
insert into consent_gate (tenant_id, resident_id, purpose)
select r.tenant_id, r.id, 'camera_check' from resident r;
alter table resident force row level security;
alter table consent_gate force row level security;

-- The municipality's impact assessment (konsekvensbedömning, GDPR art. 35): the newest counts.
create table impact_assessment (
    tenant_id int not null references tenant,
    id uuid not null,
    reference text not null check (length(reference) between 1 and 120),
    decided_on date not null,
    set_by uuid not null,
    set_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, set_by) references staff (tenant_id, id)
);

create table night_camera (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    endpoint_id uuid not null,          -- the home unit it hangs on
    name text not null check (name ~ '^[a-z0-9-]{1,32}$'),  -- in the unit's own configuration
    place text not null check (length(place) between 1 and 60),
    added_at timestamptz not null,
    activated_at timestamptz,
    activated_by uuid,
    blocked_at timestamptz,
    blocked_why text check (blocked_why in ('wrong_home', 'camera_moved')),
    closed_at timestamptz,
    primary key (tenant_id, id),
    check ((activated_at is null) = (activated_by is null)),
    check ((blocked_at is null) = (blocked_why is null)),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, endpoint_id) references endpoint (tenant_id, id),
    foreign key (tenant_id, activated_by) references staff (tenant_id, id)
);
create unique index night_camera_name on night_camera (tenant_id, endpoint_id, name)
    where closed_at is null;

-- A changed agreement is a new row; the one before has ended. No camera without its papers.
create table night_agreement (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    unit_id uuid not null,
    camera_id uuid,
    look_s int not null check (look_s between 10 and 60),
    picture text not null check (picture in ('clear', 'blurred')),
    may_be_clearer boolean not null,
    may_speak boolean not null,
    retry_min int not null check (retry_min between 3 and 30),
    phone_first boolean not null,
    notice text not null check (notice in ('lamp', 'lamp_and_sound', 'none')),
    substitute text not null check (substitute in ('visit', 'phone', 'nothing')),
    declined_herself boolean not null,
    window_min int not null check (window_min between 10 and 60),
    alternatives text not null,
    informed_on date,
    informed_by text check (informed_by in ('in_person', 'paper', 'phone')),
    dpia text not null,
    reassess_on date not null,
    to_know text not null,
    valid_from timestamptz not null,
    made_by uuid not null,
    ended_at timestamptz,
    primary key (tenant_id, id),
    check (substitute <> 'nothing' or declined_herself),
    check (camera_id is null or (
        alternatives <> '' and informed_on is not null and informed_by is not null and dpia <> ''
    )),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, camera_id) references night_camera (tenant_id, id),
    foreign key (tenant_id, made_by) references staff (tenant_id, id)
);
create unique index night_agreement_one on night_agreement (tenant_id, resident_id)
    where ended_at is null;
create index night_agreement_of_unit on night_agreement (tenant_id, unit_id)
    where ended_at is null;

create table night_slot (
    tenant_id int not null references tenant,
    agreement_id uuid not null,
    at time not null,                   -- local wall time
    modality text not null check (modality in ('camera', 'visit', 'phone')),
    primary key (tenant_id, agreement_id, at),
    foreign key (tenant_id, agreement_id) references night_agreement (tenant_id, id)
);

-- Checks of one unit that follow each other closely. `night`: the day it began, noon to noon.
create table night_round (
    tenant_id int not null references tenant,
    id uuid not null,
    unit_id uuid not null,
    night date not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id)
);
create index night_round_of on night_round (tenant_id, unit_id, night);

create table night_check (
    tenant_id int not null references tenant,
    id uuid not null,
    agreement_id uuid not null,
    resident_id uuid not null,
    unit_id uuid not null,
    round_id uuid not null,
    starts_at timestamptz not null,
    opens_at timestamptz not null,
    closes_at timestamptz not null,
    modality text not null check (modality in ('camera', 'visit', 'phone')),
    substitute text not null check (substitute in ('visit', 'phone', 'nothing')),
    phone_first boolean not null,
    retry_min int not null,
    state text not null check (state in (
        'planned', 'due', 'ready', 'connecting', 'viewing', 'deciding', 'phone', 'dispatched',
        'done', 'called_off'
    )),
    since timestamptz not null,
    staff_id uuid,
    call_id uuid,
    not_before timestamptz,
    looks int not null default 0,
    interrupted int not null default 0,
    extended int not null default 0,
    shown_at timestamptz,
    seen_s int not null default 0,
    last_outcome text check (
        last_outcome in ('asleep', 'up', 'not_seen', 'needs_visit', 'technical_fault')
    ),
    without_camera text check (
        without_camera in ('paused', 'refused', 'withdrawn', 'expired', 'outside_hours')
    ),
    why text check (why in (
        'not_seen', 'abnormal', 'fault', 'missed', 'agreed', 'without_camera', 'not_reached'
    )),
    expected_by timestamptz,
    ended_as text check (ended_as in ('asleep', 'up', 'phoned', 'visited', 'nothing_wanted')),
    called_off_for text,
    primary key (tenant_id, id),
    check (opens_at <= starts_at and starts_at <= closes_at),
    -- No check ends by itself (issue "Nattfrid").
    check ((state = 'done') = (ended_as is not null)),
    check ((state = 'called_off') = (called_off_for is not null)),
    check (state <> 'dispatched' or why is not null),
    foreign key (tenant_id, agreement_id) references night_agreement (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, round_id) references night_round (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, call_id) references call (tenant_id, id)
);
create unique index night_check_once on night_check (tenant_id, resident_id, starts_at)
    where state <> 'called_off';
create index night_check_of_round on night_check (tenant_id, round_id);
create index night_check_of_resident on night_check (tenant_id, resident_id, starts_at desc);
create index night_check_open on night_check (tenant_id, resident_id)
    where state not in ('done', 'called_off');

-- "Pausa i natt", from her own screen.
create table night_pause (
    tenant_id int not null references tenant,
    resident_id uuid not null,
    night date not null,
    somebody_comes boolean not null,
    said_at timestamptz not null,
    primary key (tenant_id, resident_id, night),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);

select wall(t) from unnest(array[
    'impact_assessment', 'night_camera', 'night_agreement', 'night_slot', 'night_round',
    'night_check', 'night_pause'
]::regclass[]) as t;
grant select, insert on impact_assessment, night_slot, night_round to telecare_app;
grant select, insert, update on night_camera, night_check to telecare_app;
grant select, insert on night_agreement to telecare_app;
grant update (ended_at) on night_agreement to telecare_app;
grant select, insert, update, delete on night_pause to telecare_app;

alter table follow_up drop constraint follow_up_kind_check;
alter table follow_up add constraint follow_up_kind_check check (
    kind in (
        'call_back', 'second_talk', 'visit_overdue', 'ask_again', 'follow_up', 'check_devices',
        'break_glass', 'review_overdue', 'log_question', 'alarm_unanswered', 'mend_device',
        'camera_withdrawn', 'night_visit_late', 'reassess'
    )
);

alter table assignment drop constraint assignment_source_check;
alter table assignment add constraint assignment_source_check check (
    source in (
        'visit', 'call_in', 'alarm', 'dispatch', 'took_over', 'follow_up', 'break_glass',
        'night_check'
    )
);
