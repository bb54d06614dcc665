-- release: 1

-- The words of a text as a text search configuration sees them: telling ones by their stems, and as they are those that
-- the configuration drops ("the", "it"). The configuration simple drops none.
create or replace function words_of(p_config regconfig, p_text text, out telling text[], out small text[])
language sql stable as $$
    with words as (select w.lexeme, unnest(w.positions) as at from unnest(to_tsvector('simple', p_text)) w),
         stems as (select unnest(s.positions) as at from unnest(to_tsvector(p_config, p_text)) s)
    select tsvector_to_array(to_tsvector(p_config, p_text)),
           array(select distinct w.lexeme from words w where not exists (select from stems s where s.at = w.at)
                 order by 1)
$$;
