-- What is allowed: the gate's lock rows, consents as known over time, policies, objections.

-- One row per resident and purpose, made with the resident. Starts take FOR SHARE, withdrawal
-- takes FOR UPDATE: no call can start beside the commit that takes a consent away.
create table consent_gate (
    tenant_id int not null references tenant,
    resident_id uuid not null,
    purpose text not null,
    locked_at timestamptz,
    primary key (tenant_id, resident_id, purpose),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);

-- The legal basis is dated configuration (architecture §1.15), newest row in force wins.
create table purpose_policy (
    tenant_id int not null references tenant,
    id uuid not null,
    purpose text not null,
    valid_from timestamptz not null,
    valid_until timestamptz,
    parties text[] not null check (parties <@ array['resident', 'cohabitant']),
    stand_ins text[] not null default '{}' check (stand_ins <@ array['guardian']),
    yes_comes_by text[] not null check (yes_comes_by <@ array['in_person', 'paper', 'phone', 'tv']),
    objection_pauses boolean not null,
    review_months int not null check (review_months between 1 and 60),
    board text not null,          -- responsible nämnd
    law text not null check (law in ('SoL', 'LSS', 'HSL')),
    record_domain text not null,
    primary key (tenant_id, id)
);
create index purpose_policy_of on purpose_policy (tenant_id, purpose, valid_from);

create table information_text (
    tenant_id int not null references tenant,
    purpose text not null,
    version int not null,
    language text not null check (language in ('sv', 'fi', 'en')),
    body text not null,
    published_at timestamptz not null,
    primary key (tenant_id, purpose, version, language)
);

-- Bitemporal: `valid_from/until` in the world, `recorded_at` and `ordinal` as known. Rows are
-- added, never changed; the newest row of a party decides.
create table consent (
    tenant_id int not null references tenant,
    id uuid not null,
    ordinal bigint generated always as identity,
    resident_id uuid not null,
    purpose text not null,
    cohabitant_id uuid,  -- null: the resident herself
    decision text not null check (decision in ('permit', 'deny', 'withdrawn')),
    valid_from timestamptz not null,
    valid_until timestamptz,
    ask_again_on date,
    hours_from time,
    hours_until time,
    callers uuid[],              -- null: anyone who may call
    answer_after_s int check (answer_after_s between 10 and 60),
    information_version int,
    information_language text,
    present text,
    will_shown text check (will_shown in ('spoken', 'sign', 'written', 'other')),
    ability text check (ability in ('clear', 'doubtful')),
    given text not null check (given in ('in_person', 'paper', 'phone', 'tv', 'unit')),
    asked_by text check (asked_by in ('resident', 'cohabitant', 'by_phone', 'not_said')),
    recorded_at timestamptz not null,
    primary key (tenant_id, id),
    check ((hours_from is null) = (hours_until is null)),
    check (valid_until is null or valid_until > valid_from),
    check (decision <> 'permit' or (
        information_version is not null and information_language is not null
        and present is not null and will_shown is not null and ability is not null
        and (valid_until is not null or ask_again_on is not null)
    )),
    foreign key (tenant_id, resident_id, purpose)
        references consent_gate (tenant_id, resident_id, purpose),
    foreign key (tenant_id, resident_id, cohabitant_id)
        references cohabitant (tenant_id, resident_id, id)
);
create index consent_newest on consent
    (tenant_id, resident_id, purpose, cohabitant_id, ordinal desc);

create table objection (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    purpose text not null,
    by_kind text not null check (by_kind in ('guardian', 'relative', 'cohabitant', 'staff')),
    by_name text not null default '',
    body text not null,
    made_at timestamptz not null,
    closed_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, resident_id, purpose)
        references consent_gate (tenant_id, resident_id, purpose)
);
create index objection_open on objection (tenant_id, resident_id, purpose) where closed_at is null;

select wall(t) from unnest(array[
    'consent_gate', 'purpose_policy', 'information_text', 'consent', 'objection'
]::regclass[]) as t;
grant select, insert on consent_gate, information_text, consent to telecare_app;
grant update (locked_at) on consent_gate to telecare_app;
grant select, insert on purpose_policy, objection to telecare_app;
grant update (valid_until) on purpose_policy to telecare_app;
grant update (closed_at) on objection to telecare_app;

create function record_consent() returns trigger
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
            'present', new.present, 'purpose', new.purpose, 'valid_from', new.valid_from,
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

create function record_policy() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform audit.append(
        case when tg_op = 'INSERT' then 'policy.set' else 'policy.ended' end,
        public.app_actor(), '{}', '{}', to_json(new)::text, '{}'
    );
    return null;
end
$$;

create function record_objection() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform audit.append(
        case when new.closed_at is null then 'objection.made' else 'objection.closed' end,
        public.app_actor(),
        array[new.resident_id],
        array[(
            select r.name from public.resident r
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
alter function record_consent() owner to telecare_definer;
alter function record_policy() owner to telecare_definer;
alter function record_objection() owner to telecare_definer;
create constraint trigger consent_recorded after insert on consent
    deferrable initially deferred for each row execute function record_consent();
create constraint trigger policy_recorded after insert or update on purpose_policy
    deferrable initially deferred for each row execute function record_policy();
create constraint trigger objection_recorded after insert or update on objection
    deferrable initially deferred for each row execute function record_objection();
