-- Skyddade personuppgifter (offentlighets- och sekretesslagen 22 kap. 1 §, 26 kap. 1 §): what lists,
-- prints and records may call somebody. Empty: the page says "skyddade uppgifter", or the role.

create function shown_name(p_resident resident) returns text
language sql immutable parallel safe
as $$ select case when p_resident.is_protected then '' else p_resident.name end $$;

create function shown_given_name(p_resident resident) returns text
language sql immutable parallel safe
as $$ select case when p_resident.is_protected then '' else p_resident.given_name end $$;

create function shown_name(p_staff staff) returns text
language sql immutable parallel safe
as $$ select case when p_staff.is_protected then '' else p_staff.name end $$;

create function shown_given_name(p_staff staff) returns text
language sql immutable parallel safe
as $$ select case when p_staff.is_protected then '' else p_staff.given_name end $$;

create or replace function record_assignment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'UPDATE' and new.valid_until is not distinct from old.valid_until then
        return null;
    end if;
    perform audit.append(
        case when tg_op = 'INSERT' then 'assignment.begun' else 'assignment.changed' end,
        public.app_actor(),
        array[new.resident_id],
        array[(
            select public.shown_name(r) from public.resident r
            where r.tenant_id = new.tenant_id and r.id = new.resident_id
        )],
        json_build_object(
            'assignment_id', new.id, 'source', new.source, 'source_id', new.source_id,
            'staff_id', new.staff_id, 'valid_from', new.valid_from, 'valid_until', new.valid_until
        )::text,
        '{}'
    );
    return null;
end
$$;

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

create or replace function record_objection() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform audit.append(
        case when new.closed_at is null then 'objection.made' else 'objection.closed' end,
        public.app_actor(),
        array[new.resident_id],
        array[(
            select public.shown_name(r) from public.resident r
            where r.tenant_id = new.tenant_id and r.id = new.resident_id
        )],
        json_build_object(
            'by', new.by_kind, 'objection_id', new.id, 'purpose', new.purpose, 'text', new.body
        )::text,
        '{}'
    );
    return null;
end
$$;
