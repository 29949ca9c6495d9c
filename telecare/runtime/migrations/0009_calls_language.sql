-- A call-in is first asked of those who speak her language, when one of them is on shift.

alter table call add column first_language text check (first_language in ('sv', 'fi', 'en'));
