-- Somebody is asked to see to a device in a home.

alter table follow_up drop constraint follow_up_kind_check;
alter table follow_up add constraint follow_up_kind_check check (
    kind in (
        'call_back', 'second_talk', 'visit_overdue', 'ask_again', 'follow_up', 'check_devices',
        'break_glass', 'review_overdue', 'log_question', 'alarm_unanswered', 'mend_device'
    )
);
