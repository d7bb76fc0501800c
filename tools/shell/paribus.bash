# SPDX-License-Identifier: Apache-2.0
# Completion for bash (4.4 and later). What is offered is `paribus complete`'s to say; nothing of it is ever evaluated.

_paribus() {
    local program form
    program=$(type -P paribus) || program=${BASH_SOURCE[0]%/share/*}/bin/paribus
    COMPREPLY=()
    {
        IFS= read -r form
        mapfile -t COMPREPLY
    } < <("$program" complete bash "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2> /dev/null)
    case $form in
        files) compopt -o default -o bashdefault ;;
        paths) compopt -o filenames ;;
    esac
    # After `optimizer.`, `key=` and `folder/` the word goes on.
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *[./=] ]]; then
        compopt -o nospace
    fi
}

complete -F _paribus paribus
