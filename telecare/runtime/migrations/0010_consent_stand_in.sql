-- Who said it in her place, where the policy of the day allows that: never taken for her own word.

alter table consent add column stands_in text
    check (stands_in in ('relative', 'guardian', 'attorney'));

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
            select r.name from public.resident r
            where r.tenant_id = new.tenant_id and r.id = new.resident_id
        )],
        json_strip_nulls(json_build_object(
            'ability', new.ability, 'answer_after_s', new.answer_after_s,
            'ask_again_on', new.ask_again_on, 'asked_by', new.asked_by, 'callers', new.callers,
            'cohabitant_id', new.cohabitant_id, 'consent_id', new.id, 'decision', new.decision,
            'given', new.given, 'hours_from', new.hours_from, 'hours_until', new.hours_until,
            'present', new.present, 'purpose', new.purpose, 'stands_in', new.stands_in, 'valid_from', new.valid_from,
            'valid_until', new.valid_until, 'will_shown', new.will_shown
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
