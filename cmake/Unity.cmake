# The sources of a folder as one unit, which reads the headers once: half of the time, but a change of one compiles all.
option(VPCFLOW_UNITY "Compile the sources of a folder together" OFF)

# vpcflow_unite(TARGET SOURCES... [ALONE SOURCES...]): at most eight in a unit. Those that have names of their neighbours stay
# alone, as do those with flags of their own.
function(vpcflow_unite target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" ALONE)
  foreach(source IN LISTS arg_UNPARSED_ARGUMENTS)
    get_filename_component(folder ${source} DIRECTORY)
    string(MAKE_C_IDENTIFIER ${folder} folder)
    if(NOT source IN_LIST arg_ALONE)
      list(APPEND of_${folder} ${source})
      list(LENGTH of_${folder} count)
      math(EXPR part "(${count} - 1) / 8")
      set_property(SOURCE ${source} PROPERTY UNITY_GROUP ${folder}_${part})
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${VPCFLOW_UNITY} UNITY_BUILD_MODE GROUP)
endfunction()
