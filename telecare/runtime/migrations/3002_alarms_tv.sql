-- An alarm may be raised on the TV's own page too.

alter table alarm drop constraint alarm_source_check;
alter table alarm add constraint alarm_source_check check (source in ('unit', 'tv', 'scaip', 'dc09'));
