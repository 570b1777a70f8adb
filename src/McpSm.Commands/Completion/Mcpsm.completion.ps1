# Completes mcpsm in pwsh. In $PROFILE:  mcpsm completion pwsh | Out-String | Invoke-Expression
# (The module Mcpsm does the same when it is imported.)
# The words go through standard input: other users see arguments, and they may hold a token.
Register-ArgumentCompleter -Native -CommandName mcpsm, Invoke-Mcpsm -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = [System.Collections.Generic.List[string]]::new()
    $word = ''
    foreach ($element in $commandAst.CommandElements) {
        if ($element -eq $commandAst.CommandElements[0] -or $element.Extent.StartOffset -ge $cursorPosition) { continue }
        $text = if ($element.PSObject.Properties['Value'] -and $element.Value -is [string]) { $element.Value } else { $element.Extent.Text }
        if ($element.Extent.EndOffset -lt $cursorPosition) { $words.Add($text) } else { $word = $text }
    }
    $words.Add($word)
    # Looking for completions is no command of the user's: its exit code is not theirs either.
    $code = $global:LASTEXITCODE
    try {
        foreach ($line in @($words | & mcpsm '[suggest]' 2>$null 6>$null)) {
            $text, $about = $line -split "`t", 2
            $written = if ($text -match '^[A-Za-z0-9_./:-]+$') { $text }
                else { "'" + [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($text) + "'" }
            [System.Management.Automation.CompletionResult]::new($written, $text, 'ParameterValue', $(if ($about) { $about } else { $text }))
        }
    }
    catch {
        # Whoever types sees no error in the middle of the line; the command itself will tell.
    }
    finally { $global:LASTEXITCODE = $code }
}
