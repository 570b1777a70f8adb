# Completes mcpsm in pwsh. In $PROFILE:  mcpsm completion pwsh | Out-String | Invoke-Expression
# (The module Mcpsm does the same when it is imported.)
# The words go through standard input: other users see arguments, and they may hold a token.
# A type named in full would be looked for in all assemblies as soon as this is parsed, which each session would wait for.
Register-ArgumentCompleter -Native -CommandName mcpsm, Invoke-Mcpsm -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @()
    $word = ''
    foreach ($element in $commandAst.CommandElements) {
        if ($element -eq $commandAst.CommandElements[0] -or $element.Extent.StartOffset -ge $cursorPosition) { continue }
        $text = if ($element.PSObject.Properties['Value'] -and $element.Value -is [string]) { $element.Value } else { $element.Extent.Text }
        if ($element.Extent.EndOffset -lt $cursorPosition) { $words += $text } else { $word = $text }
    }
    $words += $word
    # Looking for completions is no command of the user's: its exit code is not theirs either.
    $code = $global:LASTEXITCODE
    $result = [type]'System.Management.Automation.CompletionResult'
    try {
        foreach ($line in @($words | & mcpsm '[suggest]' 2>$null 6>$null)) {
            $text, $about = $line -split "`t", 2
            $written = if ($text -match '^[A-Za-z0-9_./:-]+$') { $text }
                else { "'" + ($text -replace '[\u0027\u2018-\u201b]', '$0$0') + "'" }
            $result::new($written, $text, 'ParameterValue', $(if ($about) { $about } else { $text }))
        }
    }
    catch {
        # Whoever types sees no error in the middle of the line; the command itself will tell.
    }
    finally { $global:LASTEXITCODE = $code }
}
