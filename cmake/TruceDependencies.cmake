# What Truce takes from the distribution. The core needs BLAS/LAPACK, YAML, JSON, SQLite and zlib; script/setup
# installs them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
set(BLA_VENDOR OpenBLAS)
find_package(BLAS QUIET)
if(NOT BLAS_FOUND)
  message(STATUS "OpenBLAS was not found; any other BLAS will do, more slowly")
  unset(BLA_VENDOR)
  find_package(BLAS REQUIRED)
endif()
find_package(LAPACK REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)

set(truce_link_libraries PkgConfig::YAML PkgConfig::JANSSON PkgConfig::SQLITE PkgConfig::ZLIB
                         ${LAPACK_LIBRARIES} ${BLAS_LIBRARIES} Threads::Threads m)
add_library(truce_dependencies INTERFACE)
target_link_libraries(truce_dependencies INTERFACE ${truce_link_libraries})
