# Lets TARGET's users write #include "FOLDER/..." and nothing else of ours: each folder gets an include root of its own
# that holds one link, so an include against the direction of ARCHITECTURE.md does not compile. The presets share them:
# what two presets compile with the same flags then comes from ccache.
set(VULTUS_INCLUDE_ROOTS ${PROJECT_BINARY_DIR}/include_roots CACHE PATH "where include roots are made")
function(vultus_include_root target folder)
  set(root ${VULTUS_INCLUDE_ROOTS}/${folder})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${root}/${folder} SYMBOLIC)
  target_include_directories(${target} PUBLIC ${root})
endfunction()

# Leaves a target unoptimised in checked builds, where that costs less than compiling it otherwise takes longer.
function(vultus_unoptimised target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Debug>:-O0>)
endfunction()

# The same for folders of the target of this directory: what loops over no pixels and no weights.
function(vultus_unoptimised_folders)
  foreach(folder ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
    set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Debug>:-O0>)
  endforeach()
endfunction()

# Operators register themselves from static objects that nothing refers to: the linker must keep whole archives.
function(vultus_whole_archives executable)
  set_property(TARGET ${executable} PROPERTY LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,vultus_host,vultus_gpu")
endfunction()

# Compiles files of pages ("Name=path" each) into TARGET; HEADER declares kName of each in NAMESPACE.
function(vultus_embed_assets target header namespace)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/assets.cpp)
  list(TRANSFORM ARGN REPLACE "^[A-Za-z]+=" "" OUTPUT_VARIABLE files)
  list(JOIN ARGN "|" assets)
  set(script ${PROJECT_SOURCE_DIR}/cmake/embed_assets.cmake)
  add_custom_command(OUTPUT ${out} DEPENDS ${files} ${script} VERBATIM
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DHEADER=${header} -DNAMESPACE=${namespace} -DASSETS=${assets} -P ${script})
  target_sources(${target} PRIVATE ${out})
endfunction()
