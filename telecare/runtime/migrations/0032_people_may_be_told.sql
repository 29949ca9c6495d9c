-- What the resident has agreed that this relative may be told when an alarm has come; '': nothing.

alter table relative add column may_be_told text not null default '' check (length(may_be_told) <= 200);
