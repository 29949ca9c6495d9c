-- What other makers' units have the technical queue show.

alter table technical_alarm drop constraint technical_alarm_kind_check;
alter table technical_alarm add constraint technical_alarm_kind_check check (
    kind in (
        'offline', 'battery', 'mains', 'cover', 'dropped', 'unknown_sender', 'unit_battery',
        'unit_mains', 'unit_line', 'unit_cover', 'unit_fault'
    )
);
alter table alarm_unit_message add column technical_alarm_id uuid,
    add foreign key (tenant_id, technical_alarm_id) references technical_alarm (tenant_id, id);
create index alarm_unit_message_shown on alarm_unit_message (tenant_id, protocol, account)
    where technical_alarm_id is not null;
