-- A task is created by one call of apply_change, as the service of b64976b does it.
\set user random(0, :users - 1)
select outcome, shard, task
from apply_change('user-' || (:user)::text, gen_random_uuid(), decode(repeat('66', 32), 'hex'), 'created', null, null,
  '{"description": "all of them, also those on the balcony","due_at": null,"due_kind": null,"due_local": null,"following": null,"missed": 0,"occurrence": null,"priority": 1,"recurrence_basis": "schedule","recurrence_rule": null,"rule_since": null,"scheduled_for": null,"series_anchor": null,"series_id": null,"tags": ["home","green"],"time_zone": "UTC","title": "Water the plants"}'::jsonb,
  gen_random_uuid(), now(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
