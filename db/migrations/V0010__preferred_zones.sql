-- The zone in which each user's tasks are made: a copy of what the preferences in the state store say, kept where the
-- tasks are, so that creating one needs no sidecar.

create table preferred_zones (
    user_id    text        primary key,
    time_zone  text        not null,
    changed_at timestamptz not null     -- of the preferences; later ones are not overwritten
);
