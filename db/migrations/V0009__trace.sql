-- release: 2

-- The place in a trace (W3C traceparent) of the event that a delivery tells of; empty: none, or a process of release 1
-- made the delivery. Its attempts become a part of that trace.
alter table deliveries add column traceparent text not null default '';
