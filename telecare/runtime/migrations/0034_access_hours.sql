-- Hours of the day that may go past midnight: whom a unit covers, whose chain an alarm takes.

create function is_within(p_at time, p_from time, p_until time) returns boolean
language sql immutable parallel safe
as $$
    select case
        when p_from <= p_until then p_at >= p_from and p_at < p_until
        else p_at >= p_from or p_at < p_until
    end
$$;
