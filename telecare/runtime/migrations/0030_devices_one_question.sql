-- Nothing asks of one unit any more: registries are read for a whole batch.

drop function unit_of(text);
