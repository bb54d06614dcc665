# Build settings travel on targets: link todo::warnings (our own code) or todo::generated (protoc's).

# A compiler cache keyed by content. Paths below the source folder are made relative, so a fresh clone
# elsewhere hits the same entries.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()

add_library(todo_flags INTERFACE)
if(TODO_SANITIZE STREQUAL "address")
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(TODO_SANITIZE STREQUAL "thread")
  # Asio has fences, which GCC's ThreadSanitizer does not model and warns of; its locks order the same handlers.
  set(sanitizers -fsanitize=thread -Wno-tsan)
elseif(TODO_SANITIZE)
  message(FATAL_ERROR "TODO_SANITIZE is 'address' or 'thread', not '${TODO_SANITIZE}'")
endif()
if(TODO_SANITIZE)
  # Line tables are enough for a readable report and keep the builds small.
  target_compile_options(todo_flags INTERFACE ${sanitizers} -O1 -g1)
  target_link_options(todo_flags INTERFACE ${sanitizers})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(todo_flags INTERFACE $<$<CONFIG:Debug>:-g1>)
endif()
target_compile_definitions(todo_flags INTERFACE $<$<BOOL:${TODO_FAULT_POINTS}>:TODO_FAULT_POINTS>)
target_include_directories(todo_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)

add_library(todo_warnings INTERFACE)
target_compile_options(todo_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 with -O3 sees overlaps in std::string's operator+ that cannot be (GCC bug 105329).
  target_compile_options(todo_warnings INTERFACE -Wno-restrict)
endif()
target_link_libraries(todo_warnings INTERFACE todo_flags)
add_library(todo::warnings ALIAS todo_warnings)

add_library(todo_generated INTERFACE)
target_link_libraries(todo_generated INTERFACE todo_flags)
add_library(todo::generated ALIAS todo_generated)

# todo_room(<name> SOURCES … LINKS … PRIVATE_LINKS …): one static library per room, alias todo::<name>.
# LINKS is the list of arrows the room may have; nothing else reaches its include path.
function(todo_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(todo_${name} STATIC ${ROOM_SOURCES})
  add_library(todo::${name} ALIAS todo_${name})
  target_link_libraries(todo_${name} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS} todo::warnings)
endfunction()
