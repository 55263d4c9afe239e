# Lets TARGET's users write #include "FOLDER/..." and nothing else of ours: each folder gets an include root of its own
# that holds one link, so an include against the direction of ARCHITECTURE.md does not compile.
function(vultus_include_root target folder)
  set(root ${PROJECT_BINARY_DIR}/include_roots/${folder})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${root}/${folder} SYMBOLIC)
  target_include_directories(${target} PUBLIC ${root})
endfunction()

# Operators register themselves from static objects that nothing refers to: the linker must keep whole archives.
function(vultus_whole_archives executable)
  set_property(TARGET ${executable} PROPERTY LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,vultus_host,vultus_gpu")
endfunction()
