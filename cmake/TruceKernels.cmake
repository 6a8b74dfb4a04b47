# The operators in src/engine/ops are compiled once per backend: a precision and an instruction set. A backend
# is chosen at run time, so one binary runs on every processor of the architecture.
#
# truce_kernel_objects(OUT FOLDER) sets OUT to the objects of all backends.
include(CheckCCompilerFlag)

set(truce_backends f32_generic f64_generic)
set(truce_flags_f32_generic "")
set(truce_flags_f64_generic "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  check_c_compiler_flag("-march=x86-64-v4" TRUCE_HAS_X86_64_V4)
  if(TRUCE_HAS_X86_64_V4)
    list(APPEND truce_backends f32_v3 f32_v4)
    set(truce_flags_f32_v3 -march=x86-64-v3)
    set(truce_flags_f32_v4 -march=x86-64-v4 -mprefer-vector-width=512)
  endif()
endif()

# A loop that some instruction set cannot vectorise is slower there, not wrong.
check_c_compiler_flag(-Wno-pass-failed TRUCE_HAS_NO_PASS_FAILED)
if(CMAKE_C_COMPILER_ID MATCHES "Clang" AND TRUCE_HAS_NO_PASS_FAILED)
  set(truce_kernel_warnings -Wno-pass-failed)
endif()

function(truce_kernel_objects out folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
  set(objects)
  if(sources)
    foreach(backend ${truce_backends})
      add_library(truce_ops_${backend} OBJECT ${sources})
      target_link_libraries(truce_ops_${backend} PRIVATE truce_options truce_dependencies)
      target_compile_definitions(truce_ops_${backend} PRIVATE ENGINE_BACKEND=${backend})
      if(backend MATCHES "^f64")
        target_compile_definitions(truce_ops_${backend} PRIVATE ENGINE_DOUBLE=1)
      endif()
      if(backend STREQUAL "f32_generic") # graph-building functions are compiled here, once
        target_compile_definitions(truce_ops_${backend} PRIVATE ENGINE_BUILDERS=1)
      endif()
      target_compile_options(truce_ops_${backend} PRIVATE ${truce_flags_${backend}} ${truce_kernel_warnings} -O3 -fopenmp-simd
                                                          -fno-math-errno -fno-trapping-math
                                                          -ffp-contract=fast)
      list(APPEND objects $<TARGET_OBJECTS:truce_ops_${backend}>)
    endforeach()
  endif()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()

if("f32_v4" IN_LIST truce_backends)
  add_compile_definitions(ENGINE_HAS_F32_V4=1)
endif()
