-- How often another maker's unit says that it lives, and that it has stopped.
alter table alarm_unit add column signs_every_h int check (signs_every_h between 1 and 744);

alter table technical_alarm drop constraint technical_alarm_kind_check;
alter table technical_alarm add constraint technical_alarm_kind_check check (
    kind in (
        'offline', 'battery', 'mains', 'cover', 'dropped', 'unknown_sender', 'unit_silent',
        'unit_battery', 'unit_mains', 'unit_line', 'unit_cover', 'unit_fault'
    )
);
create index technical_alarm_of_account on technical_alarm (tenant_id, resident_id, device, began_at)
    where endpoint_id is null;
