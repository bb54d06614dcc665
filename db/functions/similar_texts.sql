-- release: 1

-- The tasks of a user that have a text like p_words, for example one with a typing error, and how much their titles are
-- like it, from 0 to 1; deleted tasks too. Of very many, only some. Empty without the extension pg_trgm (see
-- make_search_index).
create or replace function similar_texts(p_user text, p_words text) returns table (id bigint, likeness real)
language plpgsql stable as $$
begin
    if to_regproc('word_similarity') is null then
        return;
    end if;
    perform word_similarity('', '');  -- loads the extension: before that, nobody but a superuser may set what follows
    perform set_config('pg_trgm.word_similarity_threshold', '0.45', true);
    return query
        select s.id, word_similarity(p_words, split_part(s.search_text, chr(1), 1)) as likeness
        from (select x.id, x.search_text from task_texts x
              where x.user_id = p_user and x.search_text %> p_words limit 500) s
        order by likeness desc limit 100;
end
$$;
