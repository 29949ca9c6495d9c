-- A declared Driftstörning: while it lasts, a unit's checks go on without their cameras.

create table night_disturbance (
    tenant_id int not null references tenant,
    id uuid not null,
    unit_id uuid not null,
    reason text not null check (length(reason) between 1 and 200),
    begun_at timestamptz not null,
    begun_by uuid not null,
    ended_at timestamptz,
    ended_by uuid,
    primary key (tenant_id, id),
    check ((ended_at is null) = (ended_by is null)),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, begun_by) references staff (tenant_id, id),
    foreign key (tenant_id, ended_by) references staff (tenant_id, id)
);
create unique index night_disturbance_one on night_disturbance (tenant_id, unit_id)
    where ended_at is null;
select wall('night_disturbance'::regclass);
grant select, insert on night_disturbance to telecare_app;
grant update (ended_at, ended_by) on night_disturbance to telecare_app;

alter table night_check drop constraint night_check_without_camera_check;
alter table night_check add constraint night_check_without_camera_check check (
    without_camera in (
        'paused', 'refused', 'withdrawn', 'expired', 'outside_hours', 'disturbance'
    )
);

-- Somebody was at the door, and nobody in the home: that is no check that went well.
alter table night_check drop constraint night_check_ended_as_check;
alter table night_check add constraint night_check_ended_as_check check (
    ended_as in ('asleep', 'up', 'phoned', 'visited', 'nobody_there', 'nothing_wanted')
);
alter table follow_up drop constraint follow_up_kind_check;
alter table follow_up add constraint follow_up_kind_check check (
    kind in (
        'call_back', 'second_talk', 'visit_overdue', 'ask_again', 'follow_up', 'check_devices',
        'break_glass', 'review_overdue', 'log_question', 'alarm_unanswered', 'mend_device',
        'camera_withdrawn', 'night_visit_late', 'reassess', 'nobody_there'
    )
);
