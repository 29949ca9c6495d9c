-- A yes holds for those who have a mission with her. Whether it also holds for somebody who opened
-- in an emergency ("Öppna ändå") is said in the same breath; unsaid, it does not.

alter table consent add column emergency_allowed boolean not null default false
    check (not emergency_allowed or decision = 'permit');

create or replace function record_consent() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform audit.append(
        'consent.' || case new.decision
            when 'permit' then 'given' when 'deny' then 'denied' else 'withdrawn' end,
        public.app_actor(),
        array[new.resident_id],
        array[(
            select public.shown_name(r) from public.resident r
            where r.tenant_id = new.tenant_id and r.id = new.resident_id
        )],
        json_strip_nulls(json_build_object(
            'ability', new.ability, 'answer_after_s', new.answer_after_s,
            'ask_again_on', new.ask_again_on, 'asked_by', new.asked_by, 'callers', new.callers,
            'cohabitant_id', new.cohabitant_id, 'consent_id', new.id, 'decision', new.decision,
            'emergency_allowed', case when new.emergency_allowed then true end,
            'given', new.given, 'hours_from', new.hours_from, 'hours_until', new.hours_until,
            'present', new.present, 'purpose', new.purpose, 'stands_in', new.stands_in,
            'valid_from', new.valid_from, 'valid_until', new.valid_until,
            'will_shown', new.will_shown
        ))::text,
        json_strip_nulls(json_build_object(
            'information_language', new.information_language,
            'information_version', new.information_version,
            'purpose', new.purpose
        ))::text
    );
    return null;
end
$$;
