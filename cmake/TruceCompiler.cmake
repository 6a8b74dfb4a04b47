# Compiler flags that all of Truce's own code shares, as the interface target truce_options.
add_library(truce_options INTERFACE)
target_include_directories(truce_options INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/include
                                                   ${CMAKE_CURRENT_SOURCE_DIR}/src)
target_compile_options(truce_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes
                                               -Wmissing-prototypes -Wvla)
target_compile_definitions(truce_options INTERFACE _XOPEN_SOURCE=700)
if(TRUCE_WERROR)
  target_compile_options(truce_options INTERFACE -Werror)
endif()
if(TRUCE_SANITIZE)
  add_compile_options(-fsanitize=${TRUCE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TRUCE_SANITIZE})
endif()
