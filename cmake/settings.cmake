# Build settings travel on targets: link todo::warnings (our own code) or todo::generated (protoc's).

# A compiler cache keyed by content. Paths below the source folder are made relative, so a fresh clone
# elsewhere hits the same entries.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
endif()

# A folder whose code is not the product's says set(todo_COMPILED_FAST ON): the build with AddressSanitizer optimises nothing
# there and looks for undefined behaviour only in the product, which halves its time. Not so with ThreadSanitizer: without
# inlining, packaged libraries would use functions of the test programs that it watches.
define_property(TARGET PROPERTY COMPILED_FAST INITIALIZE_FROM_VARIABLE todo_COMPILED_FAST)

add_library(todo_flags INTERFACE)
if(TODO_SANITIZE STREQUAL "address")
  # Left out is what AddressSanitizer or a plain fault finds as well; it would take a third of the time to compile.
  set(sanitizers -fsanitize=address,undefined -fno-sanitize=null,vptr,object-size,nonnull-attribute,returns-nonnull-attribute
      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  set(fast -fsanitize=address -fno-omit-frame-pointer -O0 -g1)
elseif(TODO_SANITIZE STREQUAL "thread")
  # Asio has fences, which GCC's ThreadSanitizer does not model and warns of; its locks order the same handlers.
  set(sanitizers -fsanitize=thread -Wno-tsan)
  set(fast ${sanitizers} -O1 -g1)
elseif(TODO_SANITIZE)
  message(FATAL_ERROR "TODO_SANITIZE is 'address' or 'thread', not '${TODO_SANITIZE}'")
endif()
if(TODO_SANITIZE)
  # Line tables are enough for a readable report and keep the builds small.
  set(is_fast $<BOOL:$<TARGET_PROPERTY:COMPILED_FAST>>)
  target_compile_options(
    todo_flags INTERFACE "$<${is_fast}:${fast}>" "$<$<NOT:${is_fast}>:${sanitizers};-O1;-g1>")
  target_link_options(todo_flags INTERFACE ${sanitizers})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -fpch-preprocess: the compiler cache sees which precompiled header was used.
  target_compile_options(todo_flags INTERFACE $<$<CONFIG:Debug>:-g1> -fpch-preprocess)
endif()
target_include_directories(todo_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)

add_library(todo_strict INTERFACE)
target_compile_options(todo_strict INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 with -O3 sees overlaps in std::string's operator+ that cannot be (GCC bug 105329).
  target_compile_options(todo_strict INTERFACE -Wno-restrict)
endif()
target_link_libraries(todo_strict INTERFACE todo_flags)

add_library(todo_warnings INTERFACE)
target_link_libraries(todo_warnings INTERFACE todo_strict)
# For our own code only, so that builds with and without share what generated code and library headers compile to.
target_compile_definitions(todo_warnings INTERFACE $<$<BOOL:${TODO_FAULT_POINTS}>:TODO_FAULT_POINTS>)
add_library(todo::warnings ALIAS todo_warnings)

add_library(todo_generated INTERFACE)
target_link_libraries(todo_generated INTERFACE todo_flags)
add_library(todo::generated ALIAS todo_generated)

# todo_precompiled(<name> LINKS … HEADERS …): a set of foreign headers that is parsed once per build and not once per
# source file. todo_precompile(<target> <name>) lets a target use it. No source file relies on it: `make lint` compiles
# without.
option(TODO_PRECOMPILED_HEADERS "Parse the headers of libraries once per build" ON)
function(todo_precompiled name)
  cmake_parse_arguments(SET "" "" "LINKS;HEADERS" ${ARGN})
  if(NOT TODO_PRECOMPILED_HEADERS)
    return()
  endif()
  set(source ${CMAKE_BINARY_DIR}/precompiled/${name}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "")
  add_library(todo_precompiled_${name} OBJECT ${source})
  target_link_libraries(todo_precompiled_${name} PUBLIC ${SET_LINKS} PRIVATE todo_strict)
  target_precompile_headers(todo_precompiled_${name} PRIVATE ${SET_HEADERS})
endfunction()
function(todo_precompile target name)
  if(TODO_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM todo_precompiled_${name})
    # The compiler takes them only where the same macros are defined.
    target_compile_definitions(
      ${target} PRIVATE $<TARGET_PROPERTY:todo_precompiled_${name},INTERFACE_COMPILE_DEFINITIONS>
                        $<TARGET_PROPERTY:todo_precompiled_${name},COMPILE_DEFINITIONS>)
  endif()
endfunction()

# todo_room(<name> SOURCES … LINKS … PRIVATE_LINKS … PRECOMPILED …): one static library per room, alias todo::<name>.
# LINKS is the list of arrows the room may have; nothing else reaches its include path.
function(todo_room name)
  cmake_parse_arguments(ROOM "" "PRECOMPILED" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(todo_${name} STATIC ${ROOM_SOURCES})
  add_library(todo::${name} ALIAS todo_${name})
  target_link_libraries(todo_${name} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS} todo::warnings)
  if(ROOM_PRECOMPILED)
    todo_precompile(todo_${name} ${ROOM_PRECOMPILED})
  endif()
endfunction()
